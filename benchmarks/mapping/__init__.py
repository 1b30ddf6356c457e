"""One mapping, zaak.case, four times: by the toolkit, by hand in Polars, in pandas and in petl."""

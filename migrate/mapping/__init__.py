"""`mapping`: the mapping files of a workspace checked, tested, covered, documented, compared, begun."""

"""Which rules hold by themselves, and what of the others is not asked of a target, and why."""

from __future__ import annotations

from collections.abc import Mapping

ENFORCED: Mapping[str, str] = {
    "ID-04": "check `types_agree` of party_identifier",
    "ID-05": "check `branch_has_parent` of party_identifier",
    "ID-06": "three unique keys of party_identifier",
    "AD-02": "bounds of address.house_number and lengths of house_letter and house_number_addition",
    "DA-02": "length of digital_address.value",
    "DA-03": "partial unique key of digital_address",
    "CA-01": "unique key of case_file, identification filled and at most 40 characters",
    "CA-05": "unique key of case_result: at most one result",
    "CA-07": "unique key of case_status (case_id, set_at)",
    "CA-11": "checks `party_or_actor` and `actor_for_staff` of case_role",
    "CA-13": "check `no_payment_when_nvt` of case_file",
    "CA-14": "check `parent_is_other` of case_file",
    "DO-01": "unique key and required columns of case_document",
    "DO-02": "check `received_is_ready` of case_document",
    "RE-01": "checks `related_is_other`, `has_related_case` and `other_relation_named` of case_relation",
    "OB-01": "checks `other_type_named` and `has_object` of case_object",
    "CO-01": "required columns and filled subject of customer_contact",
    "CO-02": "check `no_action_after_success` of customer_contact",
    "CO-03": "check `participant_has_role` of customer_contact",
    "TA-01": "check `completed_when_done` of internal_task",
    "QT-03": "unique key of queue_ticket (location, date, number, series)",
    "AP-01": "check `ends_after_start` of appointment",
    "XX-01": "foreign keys, which SQLite does not hold unless it is asked to",
    "XX-02": "lengths of all text columns; what was cut is counted as `truncated`",
}
"""Rule to what of the target's own constraints holds it; the contract asks the same before every commit."""

NOT_ASKED: Mapping[str, str] = {
    "CA-02": "whether a case type is published: the model does not keep it",
    "CA-06": "properties: the model has no table of property types",
    "CA-12": "documents: the model has no table of document types, so that there is no level to compare with",
    "CA-17": "the date of destruction: what AR-02 says of it",
    "AR-02": "the date itself: many ways to derive it need what lies outside the model (a decision, another case)",
    "DO-03": "the model has no table of document types and of the case types that allow them",
    "DO-04": "whether a document is locked: the model does not keep it",
    "DO-05": "the content itself: `run` compares it with its checksum when it keeps the documents",
    "PR-01": "lengths and value lists of properties: the model keeps the format only",
    "CO-04": "metadata: the shipped mappings write flat objects of short texts; a rule of your own can ask it",
    "JO-01": "one first contact per case: links of contacts to cases are not loaded by the shipped mappings",
}
"""Rule to what of it is not asked of a target, and why."""

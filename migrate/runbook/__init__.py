"""`runbook`: the runbooks of a workspace, run with its commands, facts, people and evidence."""

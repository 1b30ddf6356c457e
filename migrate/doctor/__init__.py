"""What is wrong with the program, its machine and a workspace, before a run finds out at night."""

from migrate.doctor.diagnosis import Diagnosis, Outcome, exit_status
from migrate.doctor.questions import examine

__all__ = ["Diagnosis", "Outcome", "examine", "exit_status"]

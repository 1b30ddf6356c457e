"""The demo: six old systems that never were, with the dirt of a real town hall and the key to it.

The clean truth comes first, the dirt second, and the answer key follows from both; nothing here knows the mappings.
"""

from migrate.demo.dirt import LISTED
from migrate.demo.night_job import clean_up
from migrate.demo.world import World
from migrate.demo.write import write_demo

__all__ = ["LISTED", "World", "clean_up", "write_demo"]

"""Sources: logs of queue systems, folded into a row per ticket."""

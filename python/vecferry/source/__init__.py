"""The MySQL/MariaDB end: the only importers of connectorx and PyMySQL."""

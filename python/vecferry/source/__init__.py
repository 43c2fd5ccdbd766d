"""The MySQL/MariaDB end: the only importers of connectorx and PyMySQL."""

import os

# connectorx logs the errors that we translate to the terminal as well; it reads this when it is imported.
os.environ.setdefault("RUST_LOG", "off")

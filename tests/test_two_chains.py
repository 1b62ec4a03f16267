"""Two chains side by side: one whose endpoint is down or wrong holds up nothing of the other, and recovers alone."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.protocols.uniswap_v3 import contract
from tests.processes import CHECKOUT, environment, free_port, running, told, wait_until

RIVER_ID = 7
POOL = Address("0x" + "99" * 20)
BLOCK = "SELECT max(block) FROM processed_blocks WHERE chain_id = 31337"
RIVER = f"SELECT max(next_block) FROM pools WHERE chain_id = {RIVER_ID}"
RIVER_FAILS = "SELECT consecutive_failures FROM job_runs WHERE job = 'index:river'"
RIVER_ERROR = "SELECT last_error FROM job_runs WHERE job = 'index:river'"

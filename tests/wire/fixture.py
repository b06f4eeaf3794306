"""Makes tests/clients/server_fixture.py known here, however a script of this folder is started."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "clients"))

from server_fixture import Server, binary_under_test, version_line

__all__ = ["HERE", "Server", "binary_under_test", "version_line"]

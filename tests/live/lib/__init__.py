# SPDX-License-Identifier: Apache-2.0
"""What the live tests share: suites, processes, the agent, real servers, load, comparison.

A live test is an executable file tests/live/<name>.py. It starts its own servers on free loopback
ports, watches only them, and prints one line a case: `ok name`, `not ok name: why` or
`skipped name: why`. The truth is always the server's own record. Standard library only.
"""

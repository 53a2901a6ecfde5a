"""The command `tally hub`: one small function a command, no rules of its own.

`running` starts and makes hubs, `keeping` backs them up and restores them, `writing` asks for
changes (of the serving hub over its admin socket, else alone under the lock), `looking` only reads,
`proving` writes certificates, `carrying` reads and writes bundles on sticks, `printing` is how rows
and refusals are shown. Exit status: 0 done, 1 refused or found a problem, 2 usage.
"""

from hub.cli.group import hub

__all__ = ["hub"]

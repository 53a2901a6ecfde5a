"""Labels: from a `Print` of the workflow to a printer, and back to an input of the workflow.

Templates are master data, so a station that is cut off prints by the newest it was told. Whatever
keeps a label from coming out becomes words; nothing here raises for a reason outside of this
program.
"""

from collections.abc import Callable
from typing import Protocol

from drivers import DriverFault, LabelJob, Printer
from edge_agent.workflow.types import Print, PrintDone, PrintFailed
from tally.master import Template, Words, to_content


class Labels(Protocol):
    """What the core asks for a label."""

    def print_label(self, wanted: Print) -> PrintDone | PrintFailed:
        """Print it; returns when it is out, or with the reason why it is not."""
        ...


class NoPrinter:
    """A station without a printer."""

    def print_label(self, wanted: Print) -> PrintDone | PrintFailed:
        """Always the same reason."""
        return PrintFailed(
            wanted.job,
            Words(
                "this station has no printer in station.toml", "本工位未在 station.toml 配置打印机"
            ),
        )


class TemplateLabels:
    """Prints by the templates of the master data; `find` gives the newest of a name."""

    def __init__(self, printer: Printer, find: Callable[[str], Template | None]) -> None:
        self._printer = printer
        self._find = find

    def print_label(self, wanted: Print) -> PrintDone | PrintFailed:
        """Draw and print one label."""
        template = self._find(wanted.template)
        if template is None:
            return PrintFailed(wanted.job, _unknown(wanted.template))
        drawn_by = to_content(template)
        del drawn_by["version"]  # says which template it is, not what stands on the label
        values = {**wanted.values, "code": wanted.code}
        try:
            self._printer.print_label(LabelJob(wanted.job, drawn_by, values))
        except DriverFault as fault:
            return PrintFailed(wanted.job, Words(fault.words, fault.words_zh or fault.words))
        except (OSError, MemoryError) as error:  # what the system refuses any program, at any line
            return PrintFailed(wanted.job, _refused(error))
        return PrintDone(wanted.job, self._printer.name)


def _refused(error: OSError | MemoryError) -> Words:
    why = str(getattr(error, "strerror", None) or "out of memory")
    return Words(
        f"the system refuses the printer's driver: {why}; technician: look at the PC's limits, "
        "memory and disk, then print again",
        f"系统拒绝了打印机驱动：{why}；技术员：请检查电脑的资源限制、内存和磁盘，然后重新打印",
    )


def _unknown(name: str) -> Words:
    return Words(
        f"this station knows no label template {name}; technician: import it at the hub "
        "(tally hub import DIR FILE), then let this station sync",
        f"本工位没有标签模板 {name};技术员:请在中心导入(tally hub import DIR FILE),再让本工位同步",
    )

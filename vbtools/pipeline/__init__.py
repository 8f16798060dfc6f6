"""What to run, why, and running it."""

from vbtools.pipeline.freshness import Assessment, State, assess_stored
from vbtools.pipeline.plan import Decision, Plan, Task, make_plan, tasks_from
from vbtools.pipeline.run import Outcome, execute

__all__ = [
    "Assessment", "Decision", "Outcome", "Plan", "State", "Task", "assess_stored", "execute", "make_plan", "tasks_from",
]  # fmt: skip

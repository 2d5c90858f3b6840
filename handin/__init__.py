"""The hand-in: the homework's questions, the jobs that answer them, and one PDF with everything.

``argbest handin`` submits the body of each of :data:`TASKS`, waits, and hands the answers to
:func:`compose`. Importing this package is cheap: Typst is imported when a document is composed.
"""

from handin.answers import Answer
from handin.document import compose
from handin.questions import TASKS, Task

__all__ = ["TASKS", "Answer", "Task", "compose"]

"""The loop that opens an attachment to its last layer: one item after the other, no recursion."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.opener import DISARM, Request
from mxward.core.unpack.budget import OverBudget
from mxward.core.unpack.registry import disarmer_of, openers_of
from mxward.core.unpack.work import Damaged, Item, Work, Write

# after one of these nothing more of the attachment is opened: the rest would meet it too
_FINAL: Final = ("limit:bytes", "limit:ratio", "timeout")


def unpack(request: Request, data: bytes, write: Write) -> None:
    """Open `data` and all that is in it; tell what is found by frames (extract/reply.py) to `write`.

    Never raises on content, except MemoryError, which the worker reports by its death.
    """
    work = Work(request, data, write)
    if request.task == DISARM:
        _disarm(work)
        return
    while work.todo:
        item = work.todo.popleft()
        reason = _open(item, work)
        if reason in _FINAL:
            for left in work.todo:
                if openers_of(left):
                    work.unseen(left, reason, "not opened, as the limit was met before")
            break
    work.end()


def _disarm(work: Work) -> None:
    """Tell the attachment made harmless, as its one child; nothing when nothing in it acts."""
    item = work.todo.popleft()
    disarmer = disarmer_of(item)
    try:
        if disarmer is None:
            work.unseen(item, "unsupported", item.true_type)
        elif (safe := disarmer(item, work)) is not None:
            work.child(item, safe, *item.names)
    except OverBudget as error:
        work.over(item, error)
    except Damaged as error:
        work.unseen(item, "damaged", str(error))
    except Exception as error:  # what cannot be read cannot be made harmless
        work.unseen(item, "damaged", f"its reader failed ({type(error).__name__})")
    work.end()


def _open(item: Item, work: Work) -> str:
    """Run the openers of one item; the reason that ended it early, or ""."""
    for opener in openers_of(item):
        work.opening(item)
        try:
            work.purse.check_time()
            opener(item, work)
        except OverBudget as error:
            work.over(item, error)
            if error.reason in _FINAL:
                return error.reason
        except Damaged as error:
            work.unseen(item, "damaged", str(error))
        except MemoryError:
            work.unseen(item, "limit:memory", "it takes more memory than one attachment may")
        except Exception as error:  # a parser met what its author did not think of
            work.unseen(item, "damaged", f"its reader failed ({type(error).__name__})")
    return ""

"""What a client may do here: the scope of its token, and whether programs are run at all."""

from __future__ import annotations

from dataclasses import dataclass

from results.records import TokenRecord, TokenScope
from search_spaces import SearchSpace
from service.errors import NotAllowed
from service.settings import Settings


def check_scope(token: TokenRecord, needed: TokenScope) -> None:
    """Raise :class:`NotAllowed` unless the token's scope covers ``needed``."""
    if not token.scope.covers(needed):
        if token.scope is TokenScope.SHARE:
            raise NotAllowed(
                f"this link reads job {token.job} and nothing else",
                hint="ask whoever sent it for a token of your own",
                scope=needed,
            )
        raise NotAllowed(
            f"the token {token.name!r} has the scope {token.scope}; this needs {needed}",
            hint=f"use a token made with `argbest token create NAME --scope {needed}`",
            scope=needed,
        )


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether a client may let programs run. ``token`` is the one that it sent.

    ``is_operator`` marks callers inside the service's own process, who need no token.
    """

    allows_commands: bool
    token: TokenRecord | None = None
    is_operator: bool = False

    @classmethod
    def of_operator(cls, settings: Settings) -> Permit:
        """Return what the operator may do: all that the settings allow."""
        return cls(settings.allow_commands, is_operator=True)

    def check_space(self, space: SearchSpace) -> None:
        """Raise :class:`NotAllowed` for the space of a program that the client may not run."""
        if space.program is not None:
            self.check_program()

    def check_program(self) -> None:
        """Raise :class:`NotAllowed` unless the client may send programs and let them run."""
        if not self.allows_commands:
            raise NotAllowed(
                "this service runs no programs of its clients (ARGBEST_ALLOW_COMMANDS is off)",
                hint="start it with `argbest serve --allow-commands`, after reading SECURITY.md",
            )
        if self.is_operator:
            return
        if self.token is None:
            raise NotAllowed(
                "programs are run for clients with a token alone, and this service asks for none",
                hint="set ARGBEST_AUTH to on",
            )
        check_scope(self.token, TokenScope.CODE)

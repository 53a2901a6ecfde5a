"""From a refusal to a problem document (RFC 9457): the one table, for all apps of the hub.

A document never carries a stack trace, a path of this machine or another caller's values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.services import Refused, StoreFault
from tally.wire.messages import Problem
from tally.wire.protocol import PROBLEM_TYPE, PROTOCOL_MAX, PROTOCOL_MIN
from tally.wire.reading import UnreadableError, write_message

WHY_CHARACTERS_MAX: Final = 3900

TABLE: Final[Mapping[str, tuple[int, str, str]]] = {
    # code: status, title, what to do
    "unreadable": (400, "Cannot be read", "Send what the OpenAPI document describes."),
    "malformed": (400, "Does not fit", "Correct what is named here and send it again."),
    "no_session": (401, "No session", "Ask POST /v1/session for a challenge and answer it."),
    "unknown_journal": (403, "Unknown journal", "Enrol the station with a token of this hub."),
    "forged": (403, "Not authentic", "Verify the journal on the station; nothing was stored."),
    "wrong_answer": (403, "Challenge not answered", "Ask for a new challenge."),
    "not_yours": (403, "Not for this station", "Pull only what the hello listed."),
    "token_unknown": (403, "Unknown token", "Make a token on this hub: tally hub enroll-token."),
    "token_used": (403, "Token used", "Make a new token: tally hub enroll-token."),
    "token_expired": (403, "Token expired", "Make a new token: tally hub enroll-token."),
    "not_allowed": (403, "Not allowed", "Ask a person with the role named."),
    "not_found": (404, "Not here", "See /openapi.json for what is."),
    "unknown_station": (404, "Unknown station", "Import the station's master data first."),
    "unknown_scheme": (404, "Unknown scheme", "Import the scheme first."),
    "unknown_case": (404, "Unknown case", "List the cases: tally hub cases."),
    "unknown_code": (404, "Unknown code", "Check the code; stations may not have sent it yet."),
    "wrong_method": (405, "Not that way", "See /openapi.json for the methods."),
    "too_slow": (408, "Too slow", "Send the request again in smaller parts."),
    "no_capacity": (409, "No capacity", "Ask for fewer codes, or publish a wider scheme."),
    "rationed": (409, "More than a station gets", "Have a person grant a block: page Codes."),
    "request_reused": (409, "Request used before", "Use a new request id for another wish."),
    "old_copy": (409, "Old copy of the hub", "Restore the hub: tally hub backup, then restore."),
    "copied": (409, "A copy of the hub serves too", "End the other; restore the one that stays."),
    "succeeded": (409, "A copy was first", "Enrol this computer with a token of a person."),
    "closed": (409, "Journal closed", "Enrol this computer with a token of a person."),
    "restoring": (409, "Restored, stations awaited", "Connect every station once, then ask again."),
    "ambiguous": (409, "More than one fits", "Name it with more digits."),
    "changed": (409, "Changed meanwhile", "Read it again, then answer; nothing was written."),
    "nothing_to_decide": (409, "Nothing to decide", "Look at the case again; it changed."),
    "too_large": (413, "Too large", "Send less at once."),
    "other_host": (421, "Not by this name", "Ask for it as localhost or 127.0.0.1."),
    "problems": (422, "Problems in the files", "Correct the files; nothing was written."),
    "too_old": (
        426,
        "Protocol not spoken here",
        "Upgrade the older side; the station keeps producing meanwhile.",
    ),
    "too_often": (429, "Too often", "Send it again after the time in Retry-After."),
    "broken": (500, "Fault of the hub", "Send it again later; nothing was acknowledged."),
    "busy": (503, "Busy", "Send it again after the time in Retry-After."),
}


def problem(code: str, what: str, why: str = "", *, retry_seconds: int = 1) -> Response:
    """The answer for one row of the table. `retry_seconds`: told where it may be sent again."""
    status, title, do = TABLE.get(code, TABLE["broken"])
    document = Problem(
        type=f"urn:tally:problem:{code}", code=code, title=title, what=what[:4000], why=why, do=do
    )
    headers = {"Retry-After": str(retry_seconds)} if status in {429, 503} else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(write_message(document), status, headers, PROBLEM_TYPE)


class TurnedAway(Exception):
    """This layer's own refusal (no session, too large, …): a code of the table and words."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code
        self.what = what


def too_old(spoken: str) -> TurnedAway:
    """The station speaks another version of the protocol."""
    return TurnedAway(
        "too_old",
        f"This hub speaks protocol {PROTOCOL_MIN} to {PROTOCOL_MAX}, the station {spoken[:20]!r}.",
    )


def install(app: FastAPI) -> None:
    """Answer every exception of a handler with a problem document."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(StoreFault, _storage)
    app.add_exception_handler(TurnedAway, _turned_away)
    app.add_exception_handler(UnreadableError, _unreadable)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return problem(error.code, error.words, _as_lines(error.problems))


def _as_lines(problems: Sequence[str]) -> str:
    """As many whole lines as a document holds, and how many more there are."""
    kept: list[str] = []
    left = WHY_CHARACTERS_MAX
    for line in problems:
        left -= len(line) + 1
        if left < 0:
            kept.append(f"... and {len(problems) - len(kept)} more")
            break
        kept.append(line)
    return "\n".join(kept)


def _storage(_: Request, error: Exception) -> Response:
    assert isinstance(error, StoreFault)
    return problem("busy" if error.is_retryable else "broken", error.words)


def _turned_away(_: Request, error: Exception) -> Response:
    assert isinstance(error, TurnedAway)
    return problem(error.code, error.what)


def _unreadable(_: Request, error: Exception) -> Response:
    return problem("unreadable", str(error))


def _validation(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = "; ".join(
        f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:10]
    )
    return problem("unreadable", f"The request does not fit: {found}.")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path[:200]}"
    if error.status_code == 405:
        return problem("wrong_method", f"{where} is not answered here.")
    return problem("not_found", f"There is nothing at {where}.")

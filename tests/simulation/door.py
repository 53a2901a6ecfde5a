"""The hub as stations meet it: its own handlers and services, called without a socket.

Only the routing from method and path to the handler is written here; messages, sessions, problem
documents and everything behind them are the product's. The hub can lose its power at any commit,
and be put back to an earlier image.
"""

from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from edge_agent.sync.turn import Reply
from hub import bootstrap, trust
from hub.api import problems, stations
from hub.api.bell import Bell
from hub.api.problems import TurnedAway
from hub.api.sessions import Sessions
from hub.services import Refused, StoreFault
from hub.services.archiving import Covered, note_backup
from hub.services.checking import check
from tally.records.ids import GENESIS, parse_event_id, parse_journal
from tally.wire import protocol as p
from tally.wire.reading import UnreadableError
from tests.simulation import turning

FRESH_MAX = 2
"""A station sends as many ahead of a backlog of more than five times that."""


class PowerCut(BaseException):
    """The plug was pulled: raised at a point of a commit path, caught where a PC begins."""


class Door:
    """One hub and its door. `crash_next`: it loses its power in its next commit."""

    def __init__(self, true, dice):
        self._true = true
        self._entropy = dice.bytes
        self._secrets = trust.new_secrets(
            plant="NB1", site="NB1", clock=true.now, entropy=self._entropy
        )
        self.body_max = p.BODY_BYTES_MAX
        self.crash_next = False
        self._is_armed = False
        self.crashes = 0
        self.hub = None
        self._start(None)

    def _start(self, image, *, is_restored=False):
        self.hub = bootstrap.in_memory(
            self._secrets,
            self._true.now,
            self._entropy,
            image=image,
            is_restored=is_restored,
            reached=self._reached,
        )
        self.sessions = Sessions(
            lambda: self.hub.receipt_key,
            self.hub.epoch,
            lambda: self._true.seconds,
            self._entropy,
            f"of start {self.crashes} alone".encode(),
        )
        self.desk = stations.Desk(
            self.hub,
            self.sessions,
            Bell(),
            lambda: int(self._true.now().timestamp() * 1000),
            fresh_max=FRESH_MAX,
        )

        turning.go_on(self)

    def keep(self, secrets):
        """The keys, on its disk."""
        self._secrets = secrets

    @property
    def entropy(self):
        """Its source of random bytes."""
        return self._entropy

    def turn_keys(self, *, is_lost):
        """It signs with other keys from now on."""
        turning.turn_keys(self, is_lost=is_lost)

    def turn_authority(self, *, is_lost):
        """Its door has another CA from now on."""
        turning.turn_authority(self, is_lost=is_lost)

    def _reached(self, label):
        if self.crash_next and self._is_armed and label == "before_commit":
            self.crash_next = False
            raise PowerCut

    @contextmanager
    def armed(self):
        """While this lasts, the next commit may be the last."""
        self._is_armed = True
        try:
            yield
        finally:
            self._is_armed = False

    def fill_up(self):
        """Its disk has no page more."""
        connection = self.hub.office.store._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    def make_space(self):
        """Somebody looked after its disk."""
        self.hub.office.store._connection.execute("PRAGMA max_page_count=1073741823")

    def image(self):
        """What the disk holds now."""
        return self.hub.office.store._connection.serialize()

    def restore(self, backup):
        """What `tally hub restore` does with a backup: the same hub in a later epoch."""
        self.crashes += 1
        image, secrets = backup
        self._secrets = trust.renewed(secrets, self._entropy, self._true.now())
        self.hub.office.store.close()
        self._start(image, is_restored=True)

    def backup(self):
        """Database and keys as they are now."""
        return self.image(), self._secrets

    def archive(self):
        """What `tally hub backup` does: written, proven, noted."""
        made, office = self.backup(), self.hub.office
        covered = [
            Covered(parse_journal(one.journal), one.seq, parse_event_id(one.event_id))
            for one in check(office.store)
            if one.seq
        ]
        note_backup(office, office.secrets.epoch, covered)
        return made

    def restart(self, image=None):
        """Power is back: what was committed is there, sessions are not."""
        self.crashes += 1
        image = self.image() if image is None else image
        self.hub.office.store.close()
        self._start(image)

    def answer(self, request):
        """The reply to one request.

        Raises:
            PowerCut: the hub went down before it answered; nothing of the request is kept.
        """
        if request.method == "PUT" and len(request.body) > self.body_max:
            return _reply(problems.problem("too_large", "The body is too large for this hub."))
        try:
            return _reply(self._handle(request))
        except Refused as error:
            return _reply(problems._refused(None, error))
        except TurnedAway as error:
            return _reply(problems._turned_away(None, error))
        except UnreadableError as error:
            return _reply(problems._unreadable(None, error))
        except StoreFault as error:
            return _reply(problems._storage(None, error))

    def _handle(self, request):
        path = urlsplit(request.path)
        match (request.method, path.path):
            case ("POST", p.SESSION):
                return stations.challenge(self.desk, request.body)
            case ("POST", p.SESSION_ANSWER):
                return stations.answer_challenge(self.desk, request.body)
            case ("POST", p.RETURNS):
                return stations.take_returned(self.desk, request.body)
        caller = self.sessions.who(request.bearer or "")
        match (request.method, path.path):
            case ("POST", p.HELLO):
                return stations.hello(self.desk, caller, request.body, "")
            case ("POST", p.SUCCESSIONS):
                return stations.succeed(self.desk, caller, request.body)
            case ("POST", p.LEASES):
                return stations.lease(self.desk, caller, request.body)
        _, _, journal, kind = path.path.strip("/").split("/")
        journal = parse_journal(journal)
        match (request.method, kind):
            case ("PUT", "records"):
                return stations.put_records(self.desk, caller, journal, request.body)
            case ("PUT", "seals"):
                return stations.put_seal(self.desk, journal, request.body)
            case ("GET", "records"):
                asked = {name: values[0] for name, values in parse_qs(path.query).items()}
                return stations.get_records(
                    self.desk,
                    caller,
                    journal,
                    after=asked.get("after", GENESIS.hex()),
                    toward=asked.get("toward", GENESIS.hex()),
                )
        raise AssertionError(f"no handler for {request}")


def _reply(response):
    return Reply(
        response.status_code,
        response.headers.get("content-type", ""),
        bytes(response.body),
        seconds=0.1,
        retry_after=1.0 if response.status_code == 503 else None,
    )

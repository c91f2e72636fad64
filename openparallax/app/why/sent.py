"""What became of the answer to a message, once there was one."""

from collections.abc import Collection

from openparallax.app.why.now import Now, Verdict, long
from openparallax.app.why.sentences import NOTICES
from openparallax.app.why.stories import Story
from openparallax.model.messages import DeliveryStatus
from openparallax.model.parcel import ParcelState
from openparallax.model.session import Mode
from openparallax.storage.timeline import Part
from openparallax.trail import Step

_WORST = (
    ParcelState.FAILED,
    ParcelState.LOST,
    ParcelState.UNCONFIRMED,
    ParcelState.HELD,
    ParcelState.UNKNOWN,
    ParcelState.WAITING,
    ParcelState.SENDING,
    ParcelState.WITHDRAWN,
    ParcelState.ACCEPTED,
)


def sent(story: Story, parts: Collection[Part], now: Now) -> Verdict:
    worst = min(parts, key=lambda one: _WORST.index(one.state))
    if worst.state is not ParcelState.ACCEPTED:
        return _notsent(story, worst, now)
    if worst.notice in NOTICES:
        return NOTICES[worst.notice]
    reached = min(parts, key=lambda one: -1 if one.status is None else one.status)
    what = "It was answered" if not worst.notice else f"They got the notice {worst.notice}"
    if worst.by_hand:
        what = "It was sent by hand"
    elif story.turn and 0 < story.turn < worst.turn:
        what += f", together with turn {worst.turn}"
    elif story.is_ours and worst.mode is Mode.OFF_THE_RECORD:
        what += " (something off the record, of which nothing else is known any more)"
    outcome = "told" if worst.notice else "answered"
    match reached.status:
        case DeliveryStatus.READ | DeliveryStatus.PLAYED:
            return Verdict(outcome, f"{what}, and they have read it.")
        case DeliveryStatus.DELIVERED:
            return Verdict(outcome, f"{what}, and it has reached their phone.")
    late = now.at - reached.created_at
    return Verdict(
        outcome,
        f"{what}: Meta took it {long(late)} ago and has not said yet that it reached their phone.",
        "Their phone may be off or without network, or they blocked the number. If that is so for "
        "everybody, the webhook gets no statuses: openparallax doctor."
        if late > _LATE_S
        else "",
    )


_LATE_S = 60.0


def _notsent(story: Story, part: Part, now: Now) -> Verdict:
    account = now.account_of.get(part.chat, "")
    match part.state:
        case ParcelState.FAILED:
            named = f" (code {part.code})" if part.code is not None else ""
            return Verdict(
                "failed",
                f"There is an answer, and Meta refused it for good or could not deliver it{named}: "
                f"{now.advise(part.code)}.",
                "See what the code asks for; the answer is not sent again.",
            )
        case ParcelState.LOST:
            return NOTICES["lost"]
        case ParcelState.UNCONFIRMED:
            return Verdict(
                "unconfirmed",
                "It was sent as often as may be, and Meta never said whether it took it.",
                "Look at the phone whether it came. If statuses never come: openparallax doctor.",
            )
        case ParcelState.HELD:
            return Verdict(
                "held",
                "There is an answer, but the 24-hour window closed before Meta took it. It is kept "
                "and goes out when they write again.",
                "Nothing, if they write again.",
            )
        case ParcelState.WITHDRAWN:
            return Verdict(
                "withdrawn",
                "There was an answer, and it was not sent: a person of ours answered first, or a "
                "newer one took its place when the window was open again, or they were forgotten.",
            )
    if not now.is_running:
        return Verdict(
            "waiting",
            "There is an answer, and it is not sent: the daemon is not running.",
            "Start it: openparallax serve, or systemctl start openparallax.",
        )
    if now.served is not None and account not in now.served:
        return Verdict(
            "not_served",
            f"There is an answer, and it waits: the configuration has no {account} any more.",
            "Put the number back into the configuration, and run openparallax reload.",
        )
    if account in now.paused:
        code = now.paused[account]
        return Verdict(
            "paused",
            f"There is an answer, and it waits: sending is paused for {account} "
            f"(code {code}): {now.advise(code)}.",
            "Do that; one message is tried again at growing intervals, at most five minutes, and "
            "all the others follow it.",
        )
    return _on_its_way(story, part, now)


def _on_its_way(story: Story, part: Part, now: Now) -> Verdict:
    if part.state is ParcelState.UNKNOWN:
        return Verdict(
            "in_doubt",
            "It was sent, and the answer of Meta was lost: nobody knows whether it was taken. Its "
            "status is waited for before it is sent again.",
            "Wait: see outbox.receipt_wait_seconds.",
        )
    if part.state is ParcelState.SENDING:
        return Verdict("sending", "It is being sent just now.", "Wait.")
    later_s = part.not_before - now.at
    note = story.latest(Step.DEFERRED)
    if note is not None and note.code is not None:
        again = f" It is tried again in {long(later_s)}." if later_s > 0 else ""
        return Verdict(
            "deferred",
            f"Meta did not take the answer yet (code {note.code}): {now.advise(note.code)}.{again}",
            "Wait.",
        )
    if note is not None:
        return Verdict(
            "deferred",
            f"Meta could not be reached ({note.about}); it is tried again and again.",
            "Look at the machine's network and at graph_api_url: openparallax doctor.",
        )
    return Verdict(
        "sending",
        "There is an answer, and it waits to be sent: what stands before it in the chat or the "
        "pace (outbox.messages_per_second, pair_interval_seconds) holds it up.",
        "Wait.",
    )

"""What is always said in the same words: the outcomes at the door, and the notices."""

from collections.abc import Mapping

from openparallax.app.why.now import Verdict
from openparallax.trail import Step

AT_THE_DOOR: Mapping[Step, Verdict] = {
    Step.NOT_ALLOWED: Verdict(
        "not_allowed",
        "They are not on allowed_numbers, so what they write is ignored, in silence.",
        "To let them in, add the number to allowed_numbers and run openparallax reload.",
    ),
    Step.FOREIGN_NUMBER: Verdict(
        "foreign_number",
        "It was sent to a number that the configuration does not have.",
        "Compare phone_number_id with the app dashboard, or add that number under accounts.",
    ),
    Step.OWN_NUMBER: Verdict(
        "own_number", "It came from one of our own numbers; those are never answered."
    ),
    Step.SILENT: Verdict(
        "silent", "A reaction, an edit or the like: it is counted and asks for no answer."
    ),
    Step.OVER_LIMIT: Verdict(
        "over_limit",
        "They were over rate_limit, and had been told so within the window. It was not kept.",
        "They have to write again. If people need more, raise rate_limit.",
    ),
    Step.UNREADABLE_AGAIN: Verdict(
        "unreadable_again",
        "Only text is read. They had been told so within the last minute.",
    ),
    Step.DUPLICATE: Verdict("duplicate", "Meta brought it once more; it had its outcome already."),
}
SILENCE = Verdict(
    "silent_on_purpose",
    "The engine chose to say nothing.",
    "If that is not what you want, look at its prompt and at the stages of the pipeline.",
)
REVOKED = Verdict("revoked", "They deleted it themselves, so its words are gone and unanswered.")
UNKNOWN = Verdict(
    "not_known",
    "It is finished, and nothing is known to have been sent for it. Its steps are forgotten (they "
    "are kept in memory only): it was left to a person of ours, or the engine chose silence, or "
    "it is older than what is kept of sending.",
)

NOTICES: Mapping[str, Verdict] = {
    "engine_failed": Verdict(
        "engine_failed",
        "The engine failed, and they were told so.",
        "Look for engine_failed in the log; openparallax doctor asks the engine.",
    ),
    "too_slow": Verdict(
        "too_slow",
        "The engine took longer than the stage time_limit allows, and they were told so.",
        "See openparallax status for how long answers take, and the stage's seconds.",
    ),
    "killed": Verdict(
        "killed",
        "The process died three times while answering it, so it was given up; they were told so.",
        "Look in the log for what killed it: out of memory, a crash in a library.",
    ),
    "lost": Verdict(
        "lost",
        "It was off the record and went with the memory of a process that ended; they were told.",
        "They have to write it again.",
    ),
    "rate_limited": Verdict(
        "over_limit",
        "They were over rate_limit and were told so. It was not kept.",
        "They have to write again. If people need more, raise rate_limit.",
    ),
    "only_text": Verdict(
        "unreadable", "Only text is read, and they were told so.", "They have to write it."
    ),
    "resend": Verdict(
        "resend",
        "Meta did not let us have its content (code 131060); they were asked to send it again.",
    ),
    "otr_refused": Verdict(
        "otr_refused",
        "They asked to go off the record, and the engine or a stage keeps what is said; they were "
        "told so.",
        "Name others in off_the_record.engine and off_the_record.pipeline.",
    ),
}

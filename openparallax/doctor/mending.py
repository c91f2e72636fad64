"""What ``--fix`` does: the few changes at Meta that can do no harm.

The one file here that posts. Each change is of something that was found to be missing, and takes
nothing away that somebody has set.
"""

from openparallax.doctor.hooks import OBJECT, shown
from openparallax.doctor.number import MENU
from openparallax.doctor.subject import Ward, text_of

_MOST_COMMANDS = 30


async def mend(ward: Ward) -> list[str]:
    """Mend what was found fixable; a sentence for each change, done or refused.

    May be repeated: what is well is left alone.
    """
    done = []
    fixable = {one.check for one in ward.findings if one.fixable}
    if "account.subscribed" in fixable:
        done.append(await _subscribe(ward))
    if "number.commands" in fixable:
        done.append(await _fill_menu(ward))
    if "webhook.exists" in fixable:
        done.append(await _set_webhook(ward))
    return done


async def _subscribe(ward: Ward) -> str:
    # Without a body this also ends an override of the app's; one that is not subscribed has none.
    answer = await ward.graph.post(f"{ward.waba_id}/subscribed_apps")
    if answer.is_ok:
        return f"Subscribed the app to the WhatsApp account {ward.waba_id}."
    return f"Could not subscribe the app to the account {ward.waba_id}: Graph {answer.explain()}."


async def _fill_menu(ward: Ward) -> str:
    """What the menu has already stays, also what is not ours."""
    kept = [
        {
            "command_name": text_of(one, "command_name"),
            "command_description": text_of(one, "command_description"),
        }
        for one in ward.commands or ()
    ]
    names = {one["command_name"].removeprefix("/") for one in kept}
    missing = [
        {"command_name": name, "command_description": says}
        for name, says in MENU.items()
        if name not in names
    ]
    number = ward.subject.phone_number_id
    if len(kept) + len(missing) > _MOST_COMMANDS:
        return f"Left the menu of the number {number} alone: it would have too many commands."
    answer = await ward.graph.post(
        f"{number}/conversational_automation", {"commands": [*kept, *missing]}
    )
    told = ", ".join(f"/{one['command_name']}" for one in missing)
    if answer.is_ok:
        return f"Put {told} into the menu of the number {number}."
    return f"Could not put {told} into the menu of the number {number}: Graph {answer.explain()}."


async def _set_webhook(ward: Ward) -> str:
    """Only where the app has none: Meta then asks the address at once whether it knows the word."""
    url = ward.subject.callback_url
    if ward.app is None or not url:
        return "Left the webhook alone: the app secret or public_url is not known."
    answer = await ward.app.post(
        f"{ward.app_id}/subscriptions",
        {
            "object": OBJECT,
            "callback_url": url,
            "verify_token": ward.subject.verify_token,
            "fields": "messages",
        },
    )
    if answer.is_ok:
        return f"Set the app's webhook to {shown(url)}, for messages."
    return (
        f"Could not set the app's webhook to {shown(url)}: Graph {answer.explain()}."
        " Meta has to reach that address, and the daemon to run."
    )

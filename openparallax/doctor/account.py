"""The WhatsApp business account: the number is its, our app hears of it, somebody pays.

Source:
    facts page, section 14, checks 7, 8 and 12.
"""

import asyncio

from openparallax.doctor.finding import Group, Notes
from openparallax.doctor.subject import Ward, text_of


async def see_account(ward: Ward) -> None:
    """Look at the account; after the number, which may say which it is."""
    notes = ward.notes(Group.ACCOUNT)
    if not ward.waba_id:
        notes.note(
            "account.id",
            "Whether the app is subscribed to the WhatsApp account, and who pays, could not be"
            " examined: waba_id is not configured, and Graph does not say it.",
            to_do=f'Write waba_id: "..." into {ward.subject.place}; it stands in the app dashboard,'
            " WhatsApp, API Setup, as WhatsApp Business Account ID.",
        )
        ward.keep(notes)
        return
    account = await ward.graph.node(ward.waba_id, ("id", "primary_funding_id"))
    if account.is_gone and not ward.lacks:
        _unknown(ward, notes)
    elif not account.is_ok:
        ward.refused(notes, account, "account.exists", "The WhatsApp account")
    else:
        notes.ok("account.exists", f"The WhatsApp account {ward.waba_id} is there.")
        if not ward.subject.waba_id:
            notes.note(
                "account.id",
                f"waba_id is not configured; the number is of the account {ward.waba_id}.",
                to_do=f'Write waba_id: "{ward.waba_id}" into {ward.subject.place}.',
            )
        if "primary_funding_id" not in account.body:
            notes.warning(
                "account.payment",
                "The WhatsApp account has no way to pay.",
                why="Meta charges delivered messages, and refuses them when it cannot (131042).",
                to_do="Add a payment method in WhatsApp Manager, Account tools, Billing.",
            )
        await asyncio.gather(_see_owner(ward, notes), _see_subscription(ward, notes))
    ward.keep(notes)


def _unknown(ward: Ward, notes: Notes) -> None:
    other = ward.waba_of_number
    hint = f" The number says that it is of {other}." if other not in ("", ward.waba_id) else ""
    notes.failure(
        "account.exists",
        f"Graph knows no WhatsApp account with the id {ward.waba_id}, or not for this token.",
        why="Whether webhooks come cannot be examined, nor mended.",
        to_do=f"Compare waba_id with the app dashboard, WhatsApp, API Setup.{hint}",
    )


async def _see_owner(ward: Ward, notes: Notes) -> None:
    if not ward.is_number_known:
        return  # that it is not there was said
    rows, answer = await ward.graph.rows(f"{ward.waba_id}/phone_numbers", fields="id")
    if ward.subject.phone_number_id in [text_of(row, "id") for row in rows]:
        notes.ok("account.number", "The number is one of the account's.")
    elif not answer.is_ok:
        ward.refused(notes, answer, "account.number", "Which numbers the account has")
    else:
        notes.failure(
            "account.number",
            f"The number {ward.subject.phone_number_id} is not of the account {ward.waba_id}.",
            why="Webhooks of the number come by its own account, and that one is not looked after.",
            to_do="Set waba_id to the account that WhatsApp Manager shows the number under.",
        )


async def _see_subscription(ward: Ward, notes: Notes) -> None:
    """The trap that people fall into most: the dashboard's own test works without it."""
    rows, answer = await ward.graph.rows(f"{ward.waba_id}/subscribed_apps")
    ids = []
    for row in rows:
        data = row.get("whatsapp_business_api_data")
        ids.append(text_of(data, "id") if isinstance(data, dict) else text_of(row, "id"))
    if not answer.is_ok:
        ward.refused(notes, answer, "account.subscribed", "Which apps hear of the account")
    elif ward.app_id and ward.app_id in ids:
        ward.is_subscribed = True
        notes.ok("account.subscribed", "The app is subscribed to the account.")
        if len(ids) > 1:
            notes.note(
                "account.others",
                f"{len(ids) - 1} more app{'s are' if len(ids) > 2 else ' is'} subscribed to it.",
                why="They get every message too; another bot among them would answer as well.",
                to_do="If one is not yours, take it away in WhatsApp Manager, or ask its owner.",
            )
    elif not ward.app_id and ids:
        notes.note(
            "account.subscribed",
            f"Apps are subscribed to the account ({', '.join(ids[:5])}); whether ours is among them"
            " is not known.",
            to_do=f'Write app_id: "..." into {ward.subject.place}.',
        )
    else:
        ward.is_subscribed = False
        notes.failure(
            "account.subscribed",
            "The app is not subscribed to the WhatsApp account.",
            why="No message of a person reaches the daemon, although the dashboard's test does.",
            to_do="Have the doctor subscribe it.",
            command="openparallax doctor --fix",
            fixable=True,
        )

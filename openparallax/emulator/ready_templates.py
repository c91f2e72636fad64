"""Templates that are approved from the start, so that a bot can send one at once."""

from typing import Any

FIRST_ID = 1_000_000_000_000_001


def ready_templates() -> list[dict[str, Any]]:
    """One without parameters, one with positional ones and a button, one with named ones."""
    templates: tuple[dict[str, Any], ...] = (
        {
            "name": "hello_world",
            "category": "UTILITY",
            "parameter_format": "POSITIONAL",
            "components": [
                {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
                {"type": "BODY", "text": "Welcome, and thank you for trying this out."},
                {"type": "FOOTER", "text": "A template for trying out"},
            ],
        },
        {
            "name": "appointment_reminder",
            "category": "UTILITY",
            "parameter_format": "POSITIONAL",
            "components": [
                {
                    "type": "BODY",
                    "text": "Hello {{1}}, we expect you on {{2}}.",
                    "example": {"body_text": [["Ann", "Monday"]]},
                },
                {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "I cannot come"}]},
            ],
        },
        {
            "name": "order_update",
            "category": "UTILITY",
            "parameter_format": "NAMED",
            "components": [
                {
                    "type": "HEADER",
                    "format": "TEXT",
                    "text": "Order {{order_id}}",
                    "example": {
                        "header_text_named_params": [{"param_name": "order_id", "example": "A-17"}]
                    },
                },
                {
                    "type": "BODY",
                    "text": "Hello {{first_name}}, your order is on its way.",
                    "example": {
                        "body_text_named_params": [{"param_name": "first_name", "example": "Ann"}]
                    },
                },
            ],
        },
    )
    return [
        {
            "id": str(FIRST_ID + place),
            "language": "en_US",
            "status": "APPROVED",
            **template,
        }
        for place, template in enumerate(templates)
    ]

"""The request bodies that the OpenAPI shows; a test sends each of them."""

from __future__ import annotations

from fastapi.openapi.models import Example

CONVERSATION = {
    "id": "ticket-4711",
    "channel": "email",
    "subject": "Refund for a lamp that arrived broken",
    "customer": {"name": "Ada Okafor", "locale": "en-GB"},
    "messages": [
        {"author": "customer", "text": "Hi, the lamp arrived with a cracked shade. How do I get my money back?"}
    ],
}
SUGGEST: dict[str, Example] = {
    "conversation": {
        "summary": "A conversation in full",
        "value": {"conversation": CONVERSATION, "options": {"limit": 6}},
    },
    "stored": {
        "summary": "A stored conversation",
        "value": {"conversation_id": "ticket-4711", "options": {"tone": "friendly"}},
    },
}
REGENERATE: dict[str, Example] = {
    "shorter": {"summary": "The same, shorter", "value": {"options": {"tone": "short", "limit": 3}}},
    "otherwise": {"summary": "From other sources", "value": {"otherwise": True}},
    "instructed": {
        "summary": "As the agent wants it (takes a model)",
        "value": {"rewrite": {"task": "instruct", "instruction": "Begin with the deadline."}},
    },
    "translated": {
        "summary": "In another language (takes a model)",
        "value": {"rewrite": {"task": "translate", "language": "de"}},
    },
}
CHECK: dict[str, Example] = {
    "edited": {
        "summary": "A changed number",
        "value": {"text": "The link in the e-mail is valid for 40 minutes and works once."},
    }
}
FEEDBACK: dict[str, Example] = {
    "accepted": {"summary": "Sent as it was", "value": {"verdict": "accepted"}},
    "edited": {
        "summary": "Sent with changes",
        "value": {"verdict": "edited", "final_text": "Hi Ada, we will refund the lamp today."},
    },
    "rejected": {"summary": "Not sent", "value": {"verdict": "rejected", "reason": "It answers another question."}},
    "corrected": {
        "summary": "Not sent, and what it is really about",
        "value": {
            "verdict": "rejected",
            "shown_at": "2026-03-04T08:12:00Z",
            "decided_at": "2026-03-04T08:12:40Z",
            "copied": True,
            "corrected": {"intent": "billing_payment", "mood": "negative", "escalation": True},
        },
    },
}
GAP: dict[str, Example] = {
    "reported": {"summary": "No article says it", "value": {"note": "Resellers ask for the warranty terms in Norway."}}
}
ASK: dict[str, Example] = {
    "question": {
        "summary": "A question of one's own",
        "value": {"question": "How much may an agent refund?", "limit": 4},
    }
}
ROUTE: dict[str, Example] = {
    "caller": {"summary": "What a caller said", "value": {"words": "my parcel never arrived", "locale": "en-GB"}}
}
START: dict[str, Example] = {"email": {"summary": "An e-mail", "value": CONVERSATION}}
MESSAGE: dict[str, Example] = {
    "follow-up": {
        "summary": "The customer writes again",
        "value": {"author": "customer", "text": "Still no answer. Is anybody there?"},
    },
    "note": {
        "summary": "A private note",
        "value": {"author": "agent", "visibility": "private", "text": "Asked the warehouse."},
    },
}
EVALUATE: dict[str, Example] = {
    "demo": {"summary": "The demo company's suite", "value": {"suite": "demo"}},
    "changed": {"summary": "With another weight", "value": {"suite": "demo", "changes": {"lexical_weight": 0.3}}},
}
COMPARE: dict[str, Example] = {
    "two runs": {"summary": "Two finished runs", "value": {"a": "{evaluation_id}", "b": "{evaluation_id}"}}
}
SOURCE: dict[str, Example] = {
    "site": {
        "summary": "A web site",
        "value": {"id": "help-centre", "connector": "web", "address": "https://help.example.com/", "every_minutes": 60},
    }
}
SYNC: dict[str, Example] = {"dry run": {"summary": "What would happen", "value": {"dry_run": True}}}
APPROVE: dict[str, Example] = {
    "with a title": {"summary": "With a title of its own", "value": {"title": "Map tiles stay grey after an update"}},
    "as it is": {"summary": "As it is", "value": {}},
}
REJECT: dict[str, Example] = {
    "covered": {"summary": "It is covered elsewhere", "value": {"reason": "The map article says so already."}}
}

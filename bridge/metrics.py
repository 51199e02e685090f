"""What an operator's Prometheus may count.  No label is a number, a party or an account."""

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

CALLS = Counter("masking_calls", "Calls that ended.", ["disposition", "fault", "reason"])
SESSIONS_CREATED = Counter("masking_sessions_created", "Sessions that were made.")
SESSIONS_EXPIRED = Counter("masking_sessions_expired", "Sessions whose time was over.")
RECORDINGS = Counter("masking_recordings", "Recordings that were made, or not.", ["state"])
JOURNAL_BEHIND = Gauge(
    "masking_journal_behind_seconds",
    "How long the oldest call has waited that nobody has begun to write about.",
)
POOL_LEFT = Gauge(
    "masking_pool_numbers_left",
    "Virtual numbers that were free for one more session like the last that was asked for.",
    ["country"],
)
POOL_WARNINGS = Counter(
    "masking_pool_warnings", "Sessions asked for when few or no numbers were left.", ["event"]
)
PINS_TYPED = Counter(
    "masking_pins_typed",
    "PINs that callers typed: right, wrong, early (they wait for their turn), or after too many.",
    ["how"],
)
PIN_GUESSING = Counter(
    "masking_pin_guessing",
    "Wrong PINs after so many of one caller, number or account that guesses are slowed or refused.",
    ["bound"],
)
WEBHOOKS = Counter("masking_webhooks", "Attempts to bring an event to its receiver.", ["result"])
ADVICE = Counter("masking_advice", "What applications said when asked about a call.", ["advice"])
PART_READY = Gauge(
    "masking_part_ready", "Whether a part of /readyz is well (1), or not (0).", ["part"]
)
PART_TROUBLE = Gauge(
    "masking_part_trouble",
    "What is wrong with a part of /readyz (1), or was since the start (0).",
    ["part", "trouble"],
)


def exposition() -> bytes:
    """Everything, in the text format that Prometheus reads."""
    return generate_latest(REGISTRY)

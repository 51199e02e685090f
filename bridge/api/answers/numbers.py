"""The pool of virtual numbers."""

from bridge.api.answers.fields import Answer, Digits, Identified, Message, Meta


class VirtualNumber(Answer):
    added_on: str
    active: bool
    alias: str | None
    carrier: str
    country: str
    number: Digits
    number_type: str
    voice_enabled: bool
    sms_enabled: bool
    mms_enabled: bool
    sub_account: str | None
    resource_uri: str


class NumberFound(VirtualNumber, Identified):
    pass


class NumberList(Identified):
    meta: Meta
    objects: list[VirtualNumber]


class NumbersAdded(Message):
    numbers: list[Digits]

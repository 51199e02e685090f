"""ITU-T Q.850 hangup causes, by the names that Asterisk's documentation uses."""

import enum


class Cause(enum.IntEnum):
    """The causes that we send, or that decide something for us."""

    UNALLOCATED = 1
    NORMAL_CLEARING = 16
    USER_BUSY = 17
    NO_USER_RESPONSE = 18
    NO_ANSWER = 19
    CALL_REJECTED = 21
    DESTINATION_OUT_OF_ORDER = 27
    NORMAL_UNSPECIFIED = 31
    CONGESTION = 34
    NETWORK_OUT_OF_ORDER = 38
    TEMPORARY_FAILURE = 41
    SWITCH_CONGESTION = 42
    CHANNEL_UNAVAILABLE = 44
    BEARER_UNAVAILABLE = 58
    RECOVERY_ON_TIMER_EXPIRY = 102


_SIP_STATUS: dict[int, int] = {
    Cause.UNALLOCATED: 404,
    Cause.USER_BUSY: 486,
    Cause.NO_USER_RESPONSE: 408,
    Cause.NO_ANSWER: 480,
    Cause.NORMAL_UNSPECIFIED: 480,
    Cause.CALL_REJECTED: 403,
    Cause.CONGESTION: 503,
    Cause.SWITCH_CONGESTION: 503,
}


def sip_status(cause: int) -> int:
    """The status with which Asterisk 22 answers an INVITE that is hung up with ``cause``.

    As ``hangup_cause2sip`` of res_pjsip/chan_pjsip has it; every cause not listed gives 603.
    Only for causes that we send ourselves.
    """
    return _SIP_STATUS.get(cause, 603)

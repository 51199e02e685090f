"""Whether the object store of the tests knows a right signature from a wrong one."""

from tests.fakes.object_store import signature


def test_amazon_s_own_example_has_amazon_s_own_signature() -> None:
    """ "GET Object" of Amazon S3's "Signature Calculations for the Authorization Header"."""
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    made = signature(
        "GET",
        "/test.txt",
        {},
        {
            "host": "examplebucket.s3.amazonaws.com",
            "range": "bytes=0-9",
            "x-amz-content-sha256": nothing,
            "x-amz-date": "20130524T000000Z",
        },
        signed="host;range;x-amz-content-sha256;x-amz-date",
        secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region="us-east-1",
    )
    assert made == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"

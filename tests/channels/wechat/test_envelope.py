"""The envelope, against Tencent's own samples, against wechatpy, and against whatever else may come."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto
from wechatpy.crypto.cryptography import WeChatCipher

from channels.adapter import BadPayloadError
from channels.wechat_envelope import (
    XML_MAX,
    BadKeyError,
    Envelope,
    EnvelopeError,
    Opened,
    WrongReceiverError,
    is_signed,
    read_xml,
    signature,
    write_xml,
)

VECTORS = {
    vector["name"]: vector
    for vector in json.loads((Path(__file__).parent.parent / "data" / "wechat-vectors.json").read_text("utf-8"))[
        "vectors"
    ]
}
TOKEN = "QDG6eK"
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
OLD_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
RECEIVER = "wx5823bf96d3bd56c7"
RANDOM = b"0123456789abcdef"
ENVELOPE = Envelope(token=TOKEN, aes_key=KEY, receiver=RECEIVER)


def sealed_by_hand(plain: bytes, key: str = KEY) -> str:
    """Encrypt bytes as they are, right or wrong."""
    cipher = WeChatCipher(base64.b64decode(key + "="))
    return base64.b64encode(cipher.encrypt(plain)).decode()


def padded(content: bytes) -> bytes:
    fill = 32 - len(content) % 32
    return content + bytes([fill]) * fill


def envelope_of(vector: dict[str, Any]) -> Envelope:
    return Envelope(token=vector["token"] or "", aes_key=vector["encoding_aes_key"], receiver=vector["id"])


@pytest.mark.parametrize("name", ["V1", "V2", "V3", "V4"])
def test_opens_the_official_samples(name: str) -> None:
    vector = VECTORS[name]
    assert envelope_of(vector).open(vector["encrypted"]) == Opened(vector["plaintext"], 0)


@pytest.mark.parametrize("name", ["V1", "V2", "V4"])
def test_knows_the_signatures_of_the_official_samples(name: str) -> None:
    vector = VECTORS[name]
    signed = {key: vector[key] for key in ("timestamp", "nonce", "encrypted")}
    assert envelope_of(vector).is_signed(vector["msg_signature"], **signed)
    assert not envelope_of(vector).is_signed(vector["msg_signature"], **{**signed, "nonce": "1"})
    assert not envelope_of(vector).is_signed("", **signed)


def test_seals_as_the_official_sample_with_the_same_random_bytes() -> None:
    vector = VECTORS["V3"]
    random = vector["random"].encode()
    assert envelope_of(vector).encrypt(vector["plaintext"], random=random) == vector["encrypted"]


@pytest.mark.parametrize("name", ["V2", "V4"])
def test_reads_the_xml_of_the_official_samples(name: str) -> None:
    found = read_xml(VECTORS[name]["plaintext"])
    assert found["MsgType"] == "text"
    assert found["Content"] == {"V2": "hello", "V4": "abcdteT"}[name]


@given(st.text(), st.binary(min_size=16, max_size=16))
def test_what_was_sealed_is_opened(text: str, random: bytes) -> None:
    assert ENVELOPE.open(ENVELOPE.encrypt(text, random=random)).text == text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("text", ["", "hello", "a" * 12, "a" * 31, "a" * 32, "你好 اردو বাংলা 👩🏽‍⚕️" * 50])
def test_agrees_with_the_library_in_both_directions(text: str) -> None:
    library = WeChatCrypto(TOKEN, KEY, RECEIVER)
    ours = ENVELOPE.seal(text, timestamp="1409659813", nonce="1372623149", random=RANDOM)
    assert library.decrypt_message(ours, read_xml(ours)["MsgSignature"], "1409659813", "1372623149") == text
    theirs = read_xml(library.encrypt_message(text, "1372623149", "1409659813"))
    assert ENVELOPE.open(theirs["Encrypt"]).text == text
    assert ENVELOPE.is_signed(
        theirs["MsgSignature"], timestamp="1409659813", nonce="1372623149", encrypted=theirs["Encrypt"]
    )


def test_the_old_key_opens_for_as_long_as_it_is_set() -> None:
    before = Envelope(token=TOKEN, aes_key=OLD_KEY, receiver=RECEIVER)
    both = Envelope(token=TOKEN, aes_key=KEY, old_aes_key=OLD_KEY, receiver=RECEIVER)
    assert both.open(before.encrypt("ciao", random=RANDOM)) == Opened("ciao", 1)
    assert both.open(ENVELOPE.encrypt("ciao", random=RANDOM)) == Opened("ciao", 0)
    assert before.open(both.encrypt("ciao", random=RANDOM, generation=1)).text == "ciao"
    assert ENVELOPE.open(ENVELOPE.encrypt("ciao", random=RANDOM, generation=1)).text == "ciao"
    with pytest.raises(EnvelopeError):
        ENVELOPE.open(before.encrypt("ciao", random=RANDOM))


@pytest.mark.parametrize(
    "encrypted",
    [
        "",
        "not base64 ü",
        "AAAA",
        "A" * 43 + "=",
        sealed_by_hand(b"x" * 16 + b"\0" * 16),
        sealed_by_hand(b"x" * 31 + b"\x21"),
        sealed_by_hand(b"x" * 30 + b"\x01\x02"),
        sealed_by_hand(bytes([32]) * 32),
        sealed_by_hand(padded(RANDOM + b"\0\0")),
        sealed_by_hand(padded(RANDOM + (2**32 - 1).to_bytes(4, "big") + b"ciao" + RECEIVER.encode())),
        sealed_by_hand(padded(RANDOM + (2).to_bytes(4, "big") + b"\xff\xfe" + RECEIVER.encode())),
    ],
    ids=[
        *("empty", "no base64", "too short", "not whole", "padding zero", "padding too large", "padding uneven"),
        *("padding only", "no length", "length too large", "no UTF-8"),
    ],
)
def test_whatever_cannot_be_opened_is_one_error(encrypted: str) -> None:
    with pytest.raises(EnvelopeError):
        ENVELOPE.open(encrypted)
    assert issubclass(EnvelopeError, BadPayloadError)


def test_what_was_sealed_for_another_is_told_apart() -> None:
    other = Envelope(token=TOKEN, aes_key=KEY, receiver="wx0000000000000000")
    longer = Envelope(token=TOKEN, aes_key=KEY, receiver=RECEIVER + "0")
    both = Envelope(token=TOKEN, aes_key=OLD_KEY, old_aes_key=KEY, receiver=RECEIVER)
    for envelope in (other, longer):
        sealed = envelope.encrypt("ciao", random=RANDOM)
        with pytest.raises(WrongReceiverError):
            ENVELOPE.open(sealed)
        with pytest.raises(WrongReceiverError):
            both.open(sealed)


@given(st.binary(max_size=200).map(lambda plain: sealed_by_hand(plain + bytes(-len(plain) % 32))) | st.text())
def test_nothing_else_is_raised_by_anything(encrypted: str) -> None:
    try:
        ENVELOPE.open(encrypted)
    except EnvelopeError as error:
        assert encrypted == "" or encrypted not in str(error)  # noqa: PT017 - raised or not, both are right here


@pytest.mark.parametrize("key", ["", "short", KEY + "A", "ü" * 43, " " * 43])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(BadKeyError):
        Envelope(token=TOKEN, aes_key=key, receiver=RECEIVER)


def test_an_empty_token_signs_nothing() -> None:
    assert not is_signed(signature("", "1", "2"), "", "1", "2")
    assert not is_signed(signature())


def test_random_bytes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        ENVELOPE.encrypt("ciao", random=b"short")


# --- XML ---


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<xml><A>1</A><B/></xml>", {"A": "1", "B": ""}),
        ("<xml><A><![CDATA[  ciao  ]]></A></xml>", {"A": "  ciao  "}),
        ("<xml>\n  <A>1</A>\n</xml>", {"A": "1"}),
        ("<xml><A>1</A><A>2</A></xml>", {"A": "1"}),
        ("<xml><A/><A>2</A></xml>", {"A": ""}),
        ("<xml><A><B>1</B></A><C>2</C></xml>", {"C": "2"}),
        ("<xml><A>x<B>1</B>y</A></xml>", {}),
        ('<xml a="1"><A b="2">3</A></xml>', {"A": "3"}),
        ("<xml><A>&lt;b&gt; &amp; 你好 &#x1F44B;</A></xml>", {"A": "<b> & 你好 👋"}),
        ("\ufeff<xml><A>1</A></xml>", {"A": "1"}),
    ],
)
def test_reads_flat(body: str, found: dict[str, str]) -> None:
    assert read_xml(body.encode()) == found


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ciao",
        b"{}",
        b"<xml/>",
        b"<xml></xml>",
        b"<xml>ciao</xml>",
        b"<other><A>1</A></other>",
        b"<xml><A>1</B></xml>",
        b"<xml><A>1</A></xml><xml/>",
        b"\xff\xfe<xml><A>1</A></xml>",
        b"<xml><A>\xff</A></xml>",
        b"<xml><A>\0</A></xml>",
        b'<?xml version="1.0" encoding="klingon"?><xml><A>\xff</A></xml>',
        b'<!DOCTYPE xml [<!ENTITY a "aaaa">]><xml><A>&a;</A></xml>',
        b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/hostname">]><xml><A>&a;</A></xml>',
        b"<xml><A>" + b"a" * XML_MAX + b"</A></xml>",
    ],
)
def test_what_cannot_be_read_is_one_error(body: bytes) -> None:
    with pytest.raises(EnvelopeError):
        read_xml(body)


def test_deep_nesting_is_left_out() -> None:
    depth = 8000
    body = "<xml>" + "<a>" * depth + "</a>" * depth + "<B>1</B></xml>"
    assert read_xml(body) == {"B": "1"}


@given(st.binary(max_size=300) | st.text("<>/&;xmlA![CDT]?\"' =é中", max_size=100).map(str.encode))
def test_reading_raises_nothing_else(body: bytes) -> None:
    try:
        read_xml(body)
        read_xml(b"<xml>" + body + b"</xml>")
    except EnvelopeError:
        pass


@given(st.text() | st.text("]>[<!CDATA\0\x1b\uffff\r\n é", max_size=40))
def test_what_was_written_is_read_again(text: str) -> None:
    written = write_xml({"Content": text, "CreateTime": 12})
    # Control characters have no place in XML, and every line end becomes one character.
    legal = "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
    expected = legal.replace("\r\n", "\n").replace("\r", "\n")
    assert read_xml(written) == {"Content": expected, "CreateTime": "12"}
    assert set(xmltodict.parse(written)["xml"]) == {"Content", "CreateTime"}


def test_a_text_cannot_end_its_element() -> None:
    text = "hi ]]></Content><MsgType>image</MsgType><Content><![CDATA["
    assert read_xml(write_xml({"MsgType": "text", "Content": text})) == {"MsgType": "text", "Content": text}

"""The shape of a staker's event: read from its declaration, refused with what is allowed."""

import pytest

from loyalty.core.errors import Invalid
from loyalty.protocols.erc20 import TRANSFER
from loyalty.protocols.nft_stakers.shape import Parameter, parse_shape

UNISWAP = "DepositTransferred(uint256 indexed tokenId, address indexed oldOwner, address indexed newOwner)"
OTHER = "Deposit(address indexed user, uint256 indexed tokenId, uint64 until)"


def test_uniswap_s_own_staker_needs_no_names() -> None:
    shape = parse_shape(UNISWAP)
    assert shape.name == "DepositTransferred"
    assert (shape.token_id, shape.account, shape.indexed) == (0, 2, 3)


def test_parameters_that_are_no_topics_are_words_of_the_data() -> None:
    shape = parse_shape(OTHER)
    assert shape.parameters[2] == Parameter("uint64", False, "until")
    assert (shape.token_id, shape.account, shape.indexed) == (1, 0, 2)


def test_topic_0_is_that_of_the_canonical_signature() -> None:
    shape = parse_shape("event  Transfer( address indexed from,address indexed to , uint value );", account="to")
    assert shape.topic0 == TRANSFER
    assert shape.token_id == 2


def test_a_named_parameter_goes_before_the_usual_names() -> None:
    assert parse_shape(UNISWAP, account="oldOwner").account == 1
    assert parse_shape("Lock(uint256 nft, uint256 id, address who)", token_id="nft").token_id == 0


def test_an_event_that_withdraws_has_no_account() -> None:
    shape = parse_shape("Withdraw(address a, address b, uint256)", withdraws=True)
    assert (shape.token_id, shape.account) == (2, None)


@pytest.mark.parametrize(
    "type_", ["uint256[]", "uint256[2]", "string", "bytes", "uint7", "uint264", "bytes33", "uint08"]
)
def test_types_that_are_not_one_word_are_refused(type_: str) -> None:
    with pytest.raises(Invalid, match=r"is not supported. Allowed are address, bool, uint8 to"):
        parse_shape(f"Deposit(address user, uint256 tokenId, {type_} more)")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Deposit", "'Deposit' is no event: write it as Name"),
        ("1Deposit(address user)", "is no event"),
        ("Deposit(address user, (uint256 tokenId))", "is no parameter: write type, indexed if it is, and name"),
        ("Deposit(address user, )", "the type '' is not supported"),
        ("Deposit(address user indexed, uint256 tokenId)", "is no parameter"),
        ("Deposit(address user, uint256 user)", "two parameters are called user"),
        ("D(uint8 indexed a, uint8 indexed b, uint8 indexed c, address indexed d)", "4 parameters are indexed"),
        ("Deposit(address user)", "which parameter is the token_id. 0 can be it"),
        ("Deposit(address a, address b, uint256 tokenId)", "which parameter is the account. 2 can be it"),
        ("Deposit()", "which parameter is the account. 0 can be it"),
    ],
)
def test_what_is_no_event_or_does_not_tell_is_refused(text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        parse_shape(text)


@pytest.mark.parametrize("names", [{"account": "tokenId"}, {"token_id": "newOwner"}, {"account": "nobody"}])
def test_a_name_that_fits_no_parameter_is_refused(names: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="names no parameter that can be it"):
        parse_shape(UNISWAP, **names)

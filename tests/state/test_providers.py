"""Providers: one id an address, for ever."""

from loyalty.core.address import Address
from loyalty.state import State, StateTransaction, providers

ON_EACH_ENGINE = True


def address(number: int) -> Address:
    return Address(f"0x{number:040x}")


def test_new_addresses_get_ids_in_the_order_given_and_keep_them(state: State) -> None:
    with StateTransaction(state) as connection:
        first = providers.ids_of(connection, [address(9), address(3), address(9)])
        again = providers.ids_of(connection, [address(3), address(1), address(9)])
    assert first == {address(9): 1, address(3): 2}
    assert again == {address(3): 2, address(1): 3, address(9): 1}


def test_more_addresses_than_a_query_takes(state: State) -> None:
    wanted = [address(number) for number in range(12_345)]
    with StateTransaction(state) as connection:
        ids = providers.ids_of(connection, wanted)
    assert len(set(ids.values())) == 12_345
    with state.read() as connection:
        assert providers.addresses(connection, ids.values()) == {number: known for known, number in ids.items()}


def test_an_address_that_no_fact_speaks_of_has_no_id(state: State) -> None:
    with state.read() as connection:
        assert providers.find(connection, address(1)) is None
        assert providers.addresses(connection, [7]) == {}

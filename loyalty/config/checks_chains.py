"""Checks of chains: names, ids, position managers, and that each chain can be asked somewhere."""

from collections.abc import Mapping

from loyalty.config.checks import chain_names, check_unique
from loyalty.config.endpoint_url import EndpointUrl
from loyalty.config.entries import ChainTable, Document
from loyalty.config.faults import Place, known, nearest
from loyalty.config.settings import rpc_variable
from loyalty.config.tables import rows

Endpoints = Mapping[str, tuple[EndpointUrl, ...]]
"""By variable, such as LOYALTY_RPC_ARBITRUM."""


def check_chains(document: Document, endpoints: Endpoints) -> None:
    chains = rows(document.chains)
    check_unique((chain.place.at("name"), chain.name) for chain in chains)
    check_unique((chain.place.at("id"), chain.id) for chain in chains)
    for chain in chains:
        check_unique((each.place.at("address"), each.address) for each in rows(chain.position_managers))
        _check_endpoint(chain, endpoints)
    _check_variables(document, endpoints)


def _check_endpoint(chain: ChainTable, endpoints: Endpoints) -> None:
    if not known(chain.name, chain.rpc) or chain.rpc:
        return
    variable = rpc_variable(chain.name)
    if variable not in endpoints:
        chain.place.at("rpc").fault("nothing", f"an endpoint here or in {variable}: http://…, https://… or file:…")


def _check_variables(document: Document, endpoints: Endpoints) -> None:
    names = chain_names(document)
    if names is None:
        return
    variables = [rpc_variable(name) for name in names]
    for variable in sorted(set(endpoints) - set(variables)):
        Place(variable, document.place.faults).fault(
            "endpoints of a chain that the file does not name", nearest(variable, variables)
        )

"""JSON-RPC over one kept-open HTTP connection: about 3,000 small requests a second to a node beside us."""

import http.client
from typing import Any

import msgspec

from loyalty.core.errors import LoyaltyError


class RpcError(LoyaltyError):
    """The node refused a request."""

    code = "rpc"


class Connection:
    """A conversation with one node. Not for use by several threads at once."""

    def __init__(self, host: str, port: int, timeout: float = 60) -> None:
        self._http = http.client.HTTPConnection(host, port, timeout=timeout)
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder().decode

    def request(self, method: str, *params: Any) -> Any:
        """The `result` of one request; raises RpcError with the node's words."""
        body = self._encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self._http.request("POST", "/", body, {"content-type": "application/json"})
        answer = self._decode(self._http.getresponse().read())
        if "error" in answer:
            raise RpcError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def close(self) -> None:
        self._http.close()

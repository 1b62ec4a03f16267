"""EVM instructions written as words, turned into bytes."""

_OPCODES = {
    "STOP": 0x00, "ADD": 0x01, "SLT": 0x12, "EQ": 0x14, "ISZERO": 0x15, "SHL": 0x1B, "SHR": 0x1C,
    "CALLER": 0x33, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37, "CODECOPY": 0x39,
    "RETURNDATASIZE": 0x3D, "RETURNDATACOPY": 0x3E, "POP": 0x50, "MSTORE": 0x52, "JUMP": 0x56, "JUMPI": 0x57,
    "GAS": 0x5A, "JUMPDEST": 0x5B, "DUP1": 0x80, "DUP2": 0x81, "DUP3": 0x82, "DUP4": 0x83, "DUP7": 0x86,
    "SWAP1": 0x90, "CALL": 0xF1, "RETURN": 0xF3, "REVERT": 0xFD,
}  # fmt: skip
_PUSH1 = 0x60


def assemble(text: str) -> bytes:
    """The bytes of a program. Words are instructions, numbers to push (hexadecimal ones as wide as written), `name:`
    for a place to jump to and `@name` to push it; from ";" on a line says what is on the stack. KeyError on others.
    """
    words = [word for line in text.splitlines() for word in line.split(";")[0].split()]
    places: dict[str, int] = {}
    position = 0
    for word in words:
        if word.endswith(":"):
            places[word[:-1]] = position
        position += len(_word(word, {}))
    return b"".join(_word(word, places) for word in words)


def _word(word: str, places: dict[str, int]) -> bytes:
    if word.endswith(":"):
        return bytes([_OPCODES["JUMPDEST"]])
    if word.startswith("@"):
        return _push(places.get(word[1:], 0).to_bytes(2, "big"))
    if word.startswith("0x"):
        return _push(bytes.fromhex(word[2:]))
    if word.isdigit():
        return _push(int(word).to_bytes(1, "big"))
    return bytes([_OPCODES[word]])


def _push(value: bytes) -> bytes:
    return bytes([_PUSH1 + len(value) - 1]) + value

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// The StableSwap invariant  A n^n S + D = A D n^n + D^(n+1) / (n^n P)  of the StableSwap paper, solved by Newton's
/// method in integers. Balances are all in 18 decimals; `amplification` is A n^(n-1), as pools store it.
library StableSwapMath {
    function invariant(uint256[] memory xp, uint256 amplification) internal pure returns (uint256 d) {
        uint256 n = xp.length;
        uint256 sum = 0;
        for (uint256 i = 0; i < n; i++) {
            sum += xp[i];
        }
        if (sum == 0) {
            return 0;
        }
        d = sum;
        uint256 ann = amplification * n;
        for (uint256 round = 0; round < 255; round++) {
            uint256 product = d;
            for (uint256 i = 0; i < n; i++) {
                product = (product * d) / (xp[i] * n);
            }
            uint256 before = d;
            d = ((ann * sum + product * n) * d) / ((ann - 1) * d + (n + 1) * product);
            if (_near(d, before)) {
                return d;
            }
        }
        revert("the invariant does not converge");
    }

    /// The balance of coin `j` at which the invariant is `d`, the others being as in `xp`.
    function balanceAt(uint256 j, uint256[] memory xp, uint256 amplification, uint256 d)
        internal
        pure
        returns (uint256 y)
    {
        uint256 n = xp.length;
        uint256 ann = amplification * n;
        uint256 c = d;
        uint256 sum = 0;
        for (uint256 k = 0; k < n; k++) {
            if (k != j) {
                sum += xp[k];
                c = (c * d) / (xp[k] * n);
            }
        }
        c = (c * d) / (ann * n);
        uint256 b = sum + d / ann;
        y = d;
        for (uint256 round = 0; round < 255; round++) {
            uint256 before = y;
            y = (y * y + c) / (2 * y + b - d);
            if (_near(y, before)) {
                return y;
            }
        }
        revert("the balance does not converge");
    }

    function _near(uint256 left, uint256 right) private pure returns (bool) {
        return left > right ? left - right <= 1 : right - left <= 1;
    }
}

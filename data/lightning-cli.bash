# SPDX-License-Identifier: MIT
# bash completion of lightning-cli

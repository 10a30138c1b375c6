# SPDX-License-Identifier: Apache-2.0
"""What the shop sells. Prices are integer minor units (cents) of one currency."""
import collections

CURRENCY = "EUR"
Product = collections.namedtuple("Product", "id slug name category price stock")

_LINES = """
1001 trail-backpack Trail_backpack_28_l outdoor 8990 40
1002 down-jacket Down_jacket outdoor 17900 12
1003 head-torch Head_torch_400_lm outdoor 3495 80
1004 camp-stove Camp_stove outdoor 5950 25
1005 tent-two Tent_for_two outdoor 24900 6
2001 moka-pot Moka_pot_6_cups kitchen 2990 60
2002 chef-knife Chef's_knife_20_cm kitchen 7450 30
2003 cast-iron-pan Cast_iron_pan kitchen 5490 22
2004 tea-kettle Tea_kettle kitchen 4200 35
3001 desk-lamp Desk_lamp home 6900 18
3002 wool-blanket Wool_blanket home 9900 14
3003 oak-shelf Oak_shelf home 13900 0
3004 plant-pot Plant_pot home 1890 120
4001 city-bike City_bike bikes 64900 4
4002 bike-lock Bike_lock bikes 4990 50
4003 rain-cape Rain_cape bikes 3990 33
"""

PRODUCTS = [Product(int(p[0]), p[1], p[2].replace("_", " "), p[3], int(p[4]), int(p[5]))
            for p in (line.split() for line in _LINES.split("\n") if line)]
BY_SLUG = {p.slug: p for p in PRODUCTS}
BY_ID = {p.id: p for p in PRODUCTS}
CATEGORIES = sorted({p.category for p in PRODUCTS})


def money(minor):
    return "%d.%02d" % divmod(minor, 100)

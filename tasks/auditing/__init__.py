"""Who the groups are, how a model treats them, and which columns give them away.

`groups` turns sensitive columns and their intersections into codes, `rates` counts what happens to
each group under row weights, `treatment` judges a model by it, `proxies` asks what tells the group.
"""

"""What a custodian owes in writing, made from the catalog and the public ledger: records of processing, evidence of erasure.

``facts`` gathers from verified entries, ``sections`` writes, ``markdown`` and ``html`` set it. All pure.
"""

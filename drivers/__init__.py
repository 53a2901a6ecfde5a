"""Device drivers, one folder per family; the contract is the one published module."""

"""Decides what a job trains next: samplers, schedulers, budgets and confirmations, without Ray."""

"""What is kept and shown: records, the store, analysis, plots, reports and export.

Code only; the data lies in a data directory, which is a setting.
"""

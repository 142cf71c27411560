"""Judging and ordering what search found: metrics, fusion, features of a pair, re-scoring."""

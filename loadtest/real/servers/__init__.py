"""The servers under test, in the order of the report."""

from . import java, others, php, python

SERVERS = [*php.SERVERS, *java.SERVERS, *python.SERVERS, *others.SERVERS]

"""An HTTP source for tests: rows of CSV, pushed with the token of `door.token`."""

DOOR = """id: door
kind: http
http: {token_file: door.token}
agency: {id: door, name: The door, domain: social}
format: {kind: csv, delimiter: ";", encoding: utf-8, header: true, dates: yyyy-MM-dd}
order: arrival
mapping: library:contacts
coverage: {from: 2020-01-01, who: who came by}
no_data_means: did not come by
"""

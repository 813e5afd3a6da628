"""A page in headless Chromium against a running echo server; prints its lines. usage: chromium_page.py URL"""
import pathlib
import sys
import urllib.parse

from browser import lines_of

PAGE = pathlib.Path(__file__).with_name("page.html")

lines = lines_of("/page?url=" + urllib.parse.quote(sys.argv[1], safe=""), {"/page": PAGE}.get)
print(lines)
sys.exit(1 if "FAIL" in lines else 0)

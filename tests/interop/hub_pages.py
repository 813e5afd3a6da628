"""Two pages of tools/hub-client in headless Chromium against a running hub; prints their lines.

usage: hub_pages.py URL API_KEY
"""
import json
import pathlib
import sys
import urllib.parse
import urllib.request

from browser import lines_of

HERE = pathlib.Path(__file__).resolve().parent
CLIENT = HERE.parent.parent / "tools" / "hub-client"
SESSION = {
    "id": "page",
    "members": [{"user_id": name, "role": "student"} for name in ("ada", "bob")],
    "comparisons": [{"id": "colors", "feature_a": {"id": "red", "title": "Red"},
                     "feature_b": {"id": "blue", "title": "Blue"}}],
}


def file_of(path):
    if path == "/driver":
        return HERE / "hub_driver.html"
    file = CLIENT / pathlib.PurePosixPath(path).name
    return file if path.startswith("/hub-client/") and file.is_file() else None


def make_session(url, key):
    request = urllib.request.Request(url.replace("ws:", "http:").rstrip("/") + "/api/sessions",
                                     json.dumps(SESSION).encode(), {"Authorization": f"Bearer {key}"})
    urllib.request.urlopen(request, timeout=20).close()


url, key = sys.argv[1:]
make_session(url, key)
lines = lines_of("/driver?url=" + urllib.parse.quote(url, safe=""), file_of)
print(lines)
sys.exit(1 if "FAIL" in lines else 0)

# Arbitex documentation, the Python client: how it gets and keeps a token.
import os
import time
import requests


class ArbitexM2MClient:
    TOKEN_URL = os.environ["BASE"] + "/api/oauth/token"

    def __init__(self, client_id: str, client_secret: str) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._token: str | None = None
        self._expires_at: float = 0.0

    def get_token(self) -> str:
        if self._token is None or time.time() >= self._expires_at:
            self._refresh()
        return self._token

    def _refresh(self) -> None:
        resp = requests.post(
            self.TOKEN_URL,
            data={"grant_type": "client_credentials"},
            auth=(self._client_id, self._client_secret),
        )
        resp.raise_for_status()
        data = resp.json()
        self._token = data["access_token"]
        self._expires_at = time.time() + data["expires_in"] * 0.9


client = ArbitexM2MClient(
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
)
first = client.get_token()
assert client.get_token() == first, "a token with most of its life left is kept"
client._expires_at = time.time() - 1
assert client.get_token() != first, "a token near its end is renewed"
print(first)

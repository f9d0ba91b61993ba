# Arbitex documentation, HTTP Basic, to the letter: base64 wraps after 76 characters, and the header breaks (ARB-19).
ARBITEX_CLIENT_ID=$CLIENT_ID ARBITEX_CLIENT_SECRET=$CLIENT_SECRET
CREDS=$(echo -n "${ARBITEX_CLIENT_ID}:${ARBITEX_CLIENT_SECRET}" | base64)
TOKEN=$(curl -s -X POST $BASE/api/oauth/token \
-H "Authorization: Basic ${CREDS}" \
-d "grant_type=client_credentials" \
| jq -r .access_token)
echo "${TOKEN}"

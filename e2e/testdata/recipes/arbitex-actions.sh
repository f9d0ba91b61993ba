# Arbitex documentation, GitHub Actions, step "Get M2M token": the secrets are substituted before the shell sees the text.
GITHUB_OUTPUT=$(mktemp)
TOKEN=$(curl -s -X POST $BASE/api/oauth/token \
-d "grant_type=client_credentials" \
-d "client_id=$CLIENT_ID" \
-d "client_secret=$CLIENT_SECRET" \
| jq -r .access_token)
echo "token=${TOKEN}" >> "$GITHUB_OUTPUT"
sed -n 's/^token=//p' "$GITHUB_OUTPUT"
rm "$GITHUB_OUTPUT"

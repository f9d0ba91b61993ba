# Trialbee, M2M integration guide, "cURL example": the token command as printed, with the endpoint and the placeholders filled in.
curl --request POST \
--url "$BASE/oauth2/token" \
--header 'Content-Type: application/x-www-form-urlencoded' \
--data 'grant_type=client_credentials' \
--data "client_id=$CLIENT_ID" \
--data "client_secret=$CLIENT_SECRET"

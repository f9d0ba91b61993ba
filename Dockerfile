# docker build -t postern .
# docker run -p 8080:8080 -v ./postern.yaml:/etc/postern/postern.yaml:ro -v postern:/var/lib/postern postern
#
# No HEALTHCHECK: the image holds no shell and no curl. Let the platform ask the health
# endpoint on the operations listener.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags='-s -w' -o /out/postern ./cmd/postern \
	&& mkdir -m 0700 /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/postern /usr/bin/postern
COPY --from=build /src/LICENSE /src/NOTICE /usr/share/doc/postern/
# A volume made here takes over this owner: the process runs as nonroot (65532).
COPY --from=build --chown=65532:65532 /out/data /var/lib/postern
USER 65532:65532
ENTRYPOINT ["/usr/bin/postern"]
CMD ["serve", "--config", "/etc/postern/postern.yaml"]

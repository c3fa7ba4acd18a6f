// Java's java.net.http.HttpClient: URL KIND; it has no multipart: each file is a body of its own.

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;

public class WithHttpClient {
    private static final HttpClient CLIENT =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0];
        String kind = arguments[1];
        String form = "note=" + System.getenv("NOTE_QUOTED");
        HttpRequest.Builder field = HttpRequest.newBuilder(URI.create(url))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form));
        send(field, kind);
        put(url + "plain.txt", Path.of(System.getenv("PLAIN")), kind);
        put(url + System.getenv("ODD_QUOTED"), Path.of(System.getenv("ODD")), kind);
    }

    private static void put(String url, Path path, String kind) throws Exception {
        // A stream has no length: it is sent in chunks.
        BodyPublisher body =
            kind.equals("chunked") ? BodyPublishers.ofInputStream(() -> open(path)) : BodyPublishers.ofFile(path);
        send(HttpRequest.newBuilder(URI.create(url)).PUT(body), kind);
    }

    private static InputStream open(Path path) {
        try {
            return new FileInputStream(path.toFile());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static void send(HttpRequest.Builder request, String kind) throws Exception {
        var response = CLIENT.send(request.expectContinue(kind.equals("expect")).build(), BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(response.statusCode() + " " + response.body());
        }
    }
}

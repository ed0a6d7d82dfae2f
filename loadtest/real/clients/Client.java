// Java's HttpClient with its defaults: on plain HTTP it asks for an upgrade to HTTP/2. Run as a single file.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Client {
    public static void main(String[] arguments) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder();
        if (!arguments[2].isEmpty()) {
            builder.sslContext(trusting(Path.of(arguments[2])));
        }
        HttpClient client = builder.build();
        for (String line : Files.readAllLines(Path.of(arguments[1]))) {
            String[] call = line.split("\t");
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(arguments[0] + call[0]))
                    .header("Content-Type", "application/json;charset=utf-8")
                    .POST(HttpRequest.BodyPublishers.ofString(call[2], StandardCharsets.UTF_8));
            if (!call[1].equals("-")) {
                request.header("Authorization", call[1]);
            }
            HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + "\t" + answer.body().replace("\n", " "));
        }
        System.exit(0);
    }

    private static SSLContext trusting(Path authority) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (var file = Files.newInputStream(authority)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
